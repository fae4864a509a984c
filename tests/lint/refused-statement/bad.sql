-- proves: fails 2BP01
DROP TABLE racks;
