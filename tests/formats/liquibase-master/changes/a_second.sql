--liquibase formatted sql
--changeset ann:2
SELECT 2;
