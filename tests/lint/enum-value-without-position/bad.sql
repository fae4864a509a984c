-- proves: nothing
ALTER TYPE mood ADD VALUE 'glad';
