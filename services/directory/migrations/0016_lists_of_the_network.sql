-- Lists of the whole network in their order: a page reads as many rows as it shows, however many there are.
CREATE INDEX providers_of_network ON providers (last_name, first_name, id) WHERE state = 'APPROVED';
CREATE INDEX offices_of_network ON offices (name, id) WHERE state = 'LIVE';
CREATE INDEX groups_of_network ON groups (name, id) WHERE state = 'READY';
