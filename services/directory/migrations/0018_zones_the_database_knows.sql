-- Questions about everybody's days read the zone of each office: one that this database does not know would end all of them.
ALTER TABLE offices ADD CHECK ((timestamptz 'epoch' AT TIME ZONE time_zone) IS NOT NULL);
