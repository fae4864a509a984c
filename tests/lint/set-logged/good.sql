CREATE TABLE sessions_kept (LIKE sessions INCLUDING ALL);
