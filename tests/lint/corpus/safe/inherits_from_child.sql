-- truth: safe: all of it is new, with a key of its own
-- base: warehouse

CREATE TABLE app.managers (bonus numeric(10,2) DEFAULT 0) INHERITS (app.employees);
ALTER TABLE app.managers ADD PRIMARY KEY (id);
