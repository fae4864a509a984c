-- proves: rewrite sessions
ALTER TABLE sessions SET LOGGED;
