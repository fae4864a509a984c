// The .proto text of a libpg_query.a, from the descriptors that protobuf-c keeps in it.
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <string.h>

extern const ProtobufCMessageDescriptor pg_query__parse_result__descriptor;
extern const ProtobufCMessageDescriptor pg_query__scan_result__descriptor;

enum { kMost = 1000 };
static const void* seen[kMost];
static int seen_count = 0;

static int IsNew(const void* descriptor) {
  for (int i = 0; i < seen_count; ++i)
    if (seen[i] == descriptor) return 0;
  if (seen_count < kMost) seen[seen_count++] = descriptor;
  return 1;
}

// "pg_query.A_Const"; the short name that protobuf-c has is without the underscore.
static const char* Plain(const char* name) { return strrchr(name, '.') + 1; }

static void PrintEnum(const ProtobufCEnumDescriptor* type) {
  if (!IsNew(type)) return;
  printf("enum %s {\n", Plain(type->name));
  for (unsigned i = 0; i < type->n_values; ++i)
    printf("  %s = %d;\n", type->values[i].name, type->values[i].value);
  printf("}\n\n");
}

static const char* TypeName(const ProtobufCFieldDescriptor* field) {
  switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
      return "int32";
    case PROTOBUF_C_TYPE_UINT32:
      return "uint32";
    case PROTOBUF_C_TYPE_INT64:
      return "int64";
    case PROTOBUF_C_TYPE_UINT64:
      return "uint64";
    case PROTOBUF_C_TYPE_BOOL:
      return "bool";
    case PROTOBUF_C_TYPE_STRING:
      return "string";
    case PROTOBUF_C_TYPE_DOUBLE:
      return "double";
    case PROTOBUF_C_TYPE_ENUM:
      return Plain(((const ProtobufCEnumDescriptor*)field->descriptor)->name);
    case PROTOBUF_C_TYPE_MESSAGE:
      return Plain(((const ProtobufCMessageDescriptor*)field->descriptor)->name);
    default:
      return "an_unexpected_type";
  }
}

// Descriptors do not name the oneof: the fields of one are next to each other.
static const char* OneofName(const ProtobufCMessageDescriptor* type) {
  return strcmp(Plain(type->name), "Node") == 0 ? "node" : "val";
}

static void PrintMessage(const ProtobufCMessageDescriptor* type) {
  if (!IsNew(type)) return;
  printf("message %s {\n", Plain(type->name));
  int inside = 0;
  for (unsigned i = 0; i < type->n_fields; ++i) {
    const ProtobufCFieldDescriptor* field = &type->fields[i];
    const int one_of = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (one_of && !inside) printf("  oneof %s {\n", OneofName(type));
    if (!one_of && inside) printf("  }\n");
    inside = one_of;
    const char* repeated = field->label == PROTOBUF_C_LABEL_REPEATED ? "repeated " : "";
    printf("  %s%s %s = %u;\n", repeated, TypeName(field), field->name, field->id);
  }
  printf("%s}\n\n", inside ? "  }\n" : "");
  for (unsigned i = 0; i < type->n_fields; ++i) {
    const ProtobufCFieldDescriptor* field = &type->fields[i];
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) PrintMessage(field->descriptor);
    if (field->type == PROTOBUF_C_TYPE_ENUM) PrintEnum(field->descriptor);
  }
}

int main(void) {
  printf("syntax = \"proto3\";\npackage pg_query;\n");
  PrintMessage(&pg_query__parse_result__descriptor);
  PrintMessage(&pg_query__scan_result__descriptor);
  return 0;
}
