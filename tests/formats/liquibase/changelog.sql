-- liquibase formatted sql

--changeset ann:1
CREATE TABLE a ();
--rollback DROP TABLE a;

--changeset ann:2 runInTransaction:false
CREATE INDEX CONCURRENTLY i ON a (b);
--rollback DROP INDEX
--rollback i;

--changeset ann:3 dbms:oracle
CREATE TABLE a (b VARCHAR2(3));

-- changeset ann:4 splitStatements:false runInTransaction:false endDelimiter:"@@"
SELECT 4@@
SELECT 44@@
/* liquibase rollback
SELECT 444;
*/

--changeset ann:5 endDelimiter:\n/
SELECT 4 / 2
/
--ignoreLines:1
SELECT broken
SELECT 5
--rollback empty
