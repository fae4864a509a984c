-- truth: risky: the tool's transaction makes it fail
-- base: rails
-- sending: transaction
-- proves: fails 25001

DROP INDEX CONCURRENTLY index_articles_on_title;
