-- Until when a row had said it lasts (NULL: no end) before it was ended because its place or its plan was: `ended_at` without
-- `ended_by`. When the place goes over to another record of the same provider, the row goes on there for just as long.
ALTER TABLE participations ADD COLUMN said_until date;
