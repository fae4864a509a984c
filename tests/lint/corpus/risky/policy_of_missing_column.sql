-- truth: risky: the table has no such column
-- base: warehouse
-- proves: fails 42703

CREATE POLICY documents_owner ON app.documents USING (owner = current_user);
