-- proves: breaks SELECT next_number()
ALTER FUNCTION next_number() RENAME TO following;
