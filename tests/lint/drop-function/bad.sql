-- proves: breaks SELECT next_number()
DROP FUNCTION next_number();
