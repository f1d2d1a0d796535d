-- A change of one placement, as setAcceptingNewPatients makes it.
UPDATE placements SET accepting_new_patients = NOT accepting_new_patients WHERE id = $1 RETURNING accepting_new_patients
