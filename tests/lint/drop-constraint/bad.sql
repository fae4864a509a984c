-- proves: breaks INSERT INTO shelves (id, label) VALUES (1, 'label 1') ON CONFLICT (label) DO NOTHING
ALTER TABLE shelves DROP CONSTRAINT shelves_label_key;
