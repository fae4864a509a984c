-- proves: breaks SELECT 'ok'::mood
ALTER TYPE mood RENAME TO feeling;
