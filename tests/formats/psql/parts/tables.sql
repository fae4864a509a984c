CREATE TABLE a ();
\ir 'more of it.sql'
