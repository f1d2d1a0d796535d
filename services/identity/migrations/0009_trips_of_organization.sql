-- How many sign-ins are under way at one organization's service is asked whenever another one begins.
CREATE INDEX sign_in_trips_of_organization ON sign_in_trips (organization_id);
