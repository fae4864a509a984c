-- truth: risky: text does not point at uuid
-- base: shop
-- proves: fails 42804

CREATE TABLE logins (id bigint PRIMARY KEY, session_token text REFERENCES sessions (token));
