-- server: 15
-- proves: rewrite archive
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
ALTER TABLE archive SET ACCESS METHOD heap_again;
