-- proves: rewrite archive
CLUSTER archive USING archive_pkey;
