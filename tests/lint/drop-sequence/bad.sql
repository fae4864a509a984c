-- proves: breaks SELECT last_value FROM ticket
DROP SEQUENCE ticket;
