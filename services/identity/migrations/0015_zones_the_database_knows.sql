-- Days and weeks are read by the organization's zone in every service: one that a database does not know would end what is due there.
ALTER TABLE organizations ADD CHECK ((timestamptz 'epoch' AT TIME ZONE time_zone) IS NOT NULL);
