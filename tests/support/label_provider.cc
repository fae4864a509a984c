// A module for a server: the provider "shelf" of security labels, which takes every label. Real
// ones need a kernel with SELinux, or are not packaged. Declared here is what fmgr.h and
// commands/seclabel.h of PostgreSQL 15 have, whose packages of headers would bring a compiler of
// their own along.
struct Magic {
  int length;
  int version;
  int function_arguments;
  int index_keys;
  int name_length;
  int float8_by_value;
  char abi[32];
};

struct Object;

extern "C" {

void register_label_provider(const char* name, void (*check)(const Object*, const char*));

const Magic* Pg_magic_func() {
  static constexpr Magic magic{sizeof(Magic), 1500, 100, 32, 64, 1, "PostgreSQL"};
  return &magic;
}

void _PG_init() {  // NOLINT: the server's name for it
  register_label_provider("shelf", [](const Object*, const char*) {});
}
}
