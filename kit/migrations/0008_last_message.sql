-- Which message the relay last saw at `last_sequence`: a stream that came back shorter may have grown past that number by what others
-- told it meanwhile.
ALTER TABLE outbox_stream ADD COLUMN last_message text;
