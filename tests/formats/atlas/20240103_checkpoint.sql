-- atlas:checkpoint

CREATE TABLE a ();
