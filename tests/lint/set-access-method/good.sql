-- server: 15
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE archive_again (LIKE archive INCLUDING ALL) USING heap_again;
