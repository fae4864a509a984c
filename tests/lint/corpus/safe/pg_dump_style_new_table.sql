-- truth: safe: keys and indexes of a table made in the same file
-- base: rails

CREATE TABLE public.invoices (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    number character varying(20)
);
CREATE SEQUENCE public.invoices_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.invoices_id_seq OWNED BY public.invoices.id;
ALTER TABLE ONLY public.invoices ALTER COLUMN id SET DEFAULT nextval('public.invoices_id_seq'::regclass);
ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX index_invoices_on_number ON public.invoices USING btree (number);
ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT fk_rails_invoices_users FOREIGN KEY (user_id) REFERENCES public.users(id);
