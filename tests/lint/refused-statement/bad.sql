-- proves: fails 2BP01
DROP TABLE archive;
