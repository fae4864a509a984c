# Reads pg_query.proto; writes C++ that goes through trees of its messages (tree.h):
#   awk -v part=types|walk -f walk.awk pg_query.proto
# Field by field as the definition has them: whatever the library's version, nothing falls behind,
# and the messages need no reflection, whose tables take a process milliseconds to build.

function accessor(name) {
  name = tolower(name)
  return name ~ /^(float|operator|default|class|new|delete|public|private|register|template|this|typename|union|using)$/ ? name "_" : name
}

function camel(name,    words, n, i, text) {
  n = split(name, words, "_")
  text = ""
  for (i = 1; i <= n; ++i) text = text toupper(substr(words[i], 1, 1)) substr(words[i], 2)
  return text
}

function one(name, mutable) {
  return mutable ? "*m.mutable_" accessor(name) : "m." accessor(name)
}

function field_line(message, i, mutable,    name, get, type, head) {
  name = field[message, i]
  get = accessor(name)
  type = field_type[message, i]
  if (repeated[message, i]) {
    head = mutable ? "auto& part : *m.mutable_" accessor(name) : "const auto& part : m." get
    return "for (" head "()) visit(Type::k" type ", part);"
  }
  return "if (m.has_" accessor(name) "()) visit(Type::k" type ", " one(name, mutable) "());"
}

function print_case(message, mutable,    i, constness) {
  constness = mutable ? "" : "const "
  if (fields[message] == 0 && !(mutable && locations[message])) return
  print "    case Type::k" message ": {"
  print "      " constness "auto& m = static_cast<" constness "pg_query::" message "&>(message);"
  if (message == "Node") {
    print "      switch (m.node_case()) {"
    for (i = 1; i <= fields[message]; ++i) {
      print "        case pg_query::Node::k" camel(field[message, i]) ":"
      print "          return visit(Type::k" field_type[message, i] ", " one(field[message, i], mutable) "());"
    }
    print "        default:"
    print "          return;"
    print "      }"
  } else {
    if (mutable) for (i = 1; i <= locations[message]; ++i)
      print "      m.set_" location[message, i] "(change(m." location[message, i] "()));"
    for (i = 1; i <= fields[message]; ++i) print "      " field_line(message, i, mutable)
    print "      return;"
  }
  print "    }"
}

function print_types(    i) {
  print "#include <string_view>"
  print ""
  print "#include <pg_query.pb.h>"
  print ""
  print "namespace pgalter::sql::tree {"
  print ""
  print "enum class Type {"
  for (i = 1; i <= messages; ++i) print "  k" name_of[i] ","
  print "};"
  print ""
  print "template <class T>"
  print "struct TypeOf;"
  for (i = 1; i <= messages; ++i)
    print "template <> struct TypeOf<pg_query::" name_of[i] "> { static constexpr Type value = Type::k" name_of[i] "; };"
  print ""
  print "inline constexpr std::string_view kTypeNames[] = {"
  for (i = 1; i <= messages; ++i) print "  \"" name_of[i] "\","
  print "};"
  print ""
  print "}  // namespace pgalter::sql::tree"
}

function print_walk(mutable,    i) {
  if (mutable) {
    print "template <class Change, class Visit>"
    print "void ChangeParts(Type type, google::protobuf::MessageLite& message, const Change& change,"
    print "                 const Visit& visit) {"
  } else {
    print "template <class Visit>"
    print "void VisitParts(Type type, const google::protobuf::MessageLite& message, const Visit& visit) {"
  }
  print "  switch (type) {"
  for (i = 1; i <= messages; ++i) print_case(name_of[i], mutable)
  print "    default:"
  print "      return;"
  print "  }"
  print "}"
  print ""
}

/^message / {
  current = $2
  name_of[++messages] = current
  is_message[current] = 1
}
/^enum / { current = "" }
current != "" && /^[ \t]+(repeated )?[A-Za-z0-9_]+ [A-Za-z0-9_]+ = [0-9]+/ {
  many = ($1 == "repeated")
  type = many ? $2 : $1
  name = many ? $3 : $2
  if (name ~ /^(location|stmt_location|stmt_len)$/ && type == "int32") {
    location[current, ++locations[current]] = name
    next
  }
  raw_type[current, ++raw[current]] = type
  raw_name[current, raw[current]] = name
  raw_many[current, raw[current]] = many
}
END {
  for (i = 1; i <= messages; ++i) {
    m = name_of[i]
    for (j = 1; j <= raw[m]; ++j) {
      if (!(raw_type[m, j] in is_message)) continue
      k = ++fields[m]
      field[m, k] = raw_name[m, j]
      field_type[m, k] = raw_type[m, j]
      repeated[m, k] = raw_many[m, j]
    }
  }
  print "#pragma once"
  print ""
  print "// Generated from pg_query.proto by planner/sql/walk.awk."
  print ""
  if (part == "types") {
    print_types()
  } else {
    print "#include <pg_query_types.h>"
    print ""
    print "namespace pgalter::sql::tree {"
    print ""
    print_walk(0)
    print_walk(1)
    print "}  // namespace pgalter::sql::tree"
  }
}
