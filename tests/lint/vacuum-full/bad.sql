-- proves: rewrite archive
VACUUM FULL archive;
