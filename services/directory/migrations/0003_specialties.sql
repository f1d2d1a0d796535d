-- A handful of specialties to begin with. The whole code set is licensed and is not shipped.
INSERT INTO specialties (code, grouping, classification, specialization, name) VALUES
    ('207Q00000X', 'Allopathic & Osteopathic Physicians', 'Family Medicine', NULL, 'Family medicine'),
    ('207RC0000X', 'Allopathic & Osteopathic Physicians', 'Internal Medicine', 'Cardiovascular Disease',
        'Cardiovascular disease'),
    ('207N00000X', 'Allopathic & Osteopathic Physicians', 'Dermatology', NULL, 'Dermatology'),
    ('207X00000X', 'Allopathic & Osteopathic Physicians', 'Orthopaedic Surgery', NULL, 'Orthopaedic surgery'),
    ('207P00000X', 'Allopathic & Osteopathic Physicians', 'Emergency Medicine', NULL, 'Emergency medicine'),
    ('2084N0400X', 'Allopathic & Osteopathic Physicians', 'Psychiatry & Neurology', 'Neurology', 'Neurology');
