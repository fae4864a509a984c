-- proves: breaks SELECT nextval('ticket')
ALTER SEQUENCE ticket RENAME TO tickets;
