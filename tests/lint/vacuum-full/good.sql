VACUUM (ANALYZE) archive;
