CREATE TYPE feeling AS ENUM ('ok');
ALTER TYPE feeling RENAME TO sense;
