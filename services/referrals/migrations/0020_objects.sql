-- A piece of a file lies in its row (`box`) or, when the suite is set so, in an object of an S3-compatible store that the row names
-- (`object`). The row is there before the object: what is in the store and in no row is in `loose_objects`. While a piece moves into
-- another object, that one is named too (`next_object`).
ALTER TABLE attachment_pieces ALTER COLUMN box DROP NOT NULL;
ALTER TABLE attachment_pieces
    ADD COLUMN object uuid,
    ADD COLUMN next_object uuid,
    ADD CONSTRAINT lies_in_one_place CHECK (num_nonnulls(box, object) = 1);
CREATE UNIQUE INDEX attachment_pieces_object ON attachment_pieces (object) WHERE object IS NOT NULL;
CREATE UNIQUE INDEX attachment_pieces_next_object ON attachment_pieces (next_object) WHERE next_object IS NOT NULL;

-- Objects that no row names any more. Each is deleted twice: at once, and when nothing that was asked of the store can still be on its
-- way there (`gone` meanwhile).
CREATE TABLE loose_objects (
    id uuid PRIMARY KEY,
    gone boolean NOT NULL DEFAULT false,
    due_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX loose_objects_due ON loose_objects (due_at);

-- However a row goes or changes, in the same transaction the objects it named come loose.
CREATE FUNCTION let_loose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loose_objects (id)
    SELECT was FROM unnest(ARRAY[OLD.object, OLD.next_object]) AS was
    WHERE was IS NOT NULL AND (TG_OP = 'DELETE' OR was IS DISTINCT FROM NEW.object AND was IS DISTINCT FROM NEW.next_object)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER let_loose AFTER UPDATE OF object, next_object OR DELETE ON attachment_pieces
    FOR EACH ROW WHEN (OLD.object IS NOT NULL OR OLD.next_object IS NOT NULL) EXECUTE FUNCTION let_loose();
