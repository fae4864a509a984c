BEGIN;
ALTER TABLE customers RENAME TO clients;
ALTER TABLE clients RENAME COLUMN note TO remark;
CREATE VIEW customers AS SELECT id, email, name, remark, remark AS note, code FROM clients;
COMMIT;
