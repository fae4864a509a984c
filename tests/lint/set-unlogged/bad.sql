-- proves: rewrite archive
ALTER TABLE archive SET UNLOGGED;
