#include "planner/sql/tree.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "planner/sql/text.h"

namespace pgalter::sql::tree {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kSelect = "SELECT ";

bool IsLocation(const FieldDescriptor& field) {
  const std::string& name = field.name();
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 &&
         (name == "location" || name == "stmt_location" || name == "stmt_len");
}

template <class Change>
void ChangeLocations(Message& message, const Change& change) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (IsLocation(*field)) {
      reflection.SetInt32(&message, field, change(reflection.GetInt32(message, field)));
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        ChangeLocations(*reflection.MutableRepeatedMessage(&message, field, i), change);
      }
    } else {
      ChangeLocations(*reflection.MutableMessage(&message, field), change);
    }
  }
}

// The value of `SELECT <value>`, null if the statement is anything more.
const pg_query::Node* OnlyValue(const pg_query::ParseResult& parsed) {
  if (parsed.stmts_size() != 1 || !parsed.stmts(0).stmt().has_select_stmt()) return nullptr;
  const auto& select = parsed.stmts(0).stmt().select_stmt();
  if (select.target_list_size() != 1) return nullptr;
  const auto& target = select.target_list(0).res_target();
  return target.has_val() && target.name().empty() ? &target.val() : nullptr;
}

Error NotOneExpression(int position) {
  return Error{"this is not one expression", position,
               "write a single SQL expression, such as lower(email)"};
}

using Fields = std::vector<const FieldDescriptor*>;

// Of every type in the grammar's file, by its number there: the fields that hold messages, in the
// order of their numbers, which is mostly that of the text.
std::vector<Fields> AllMessageFields() {
  const auto* file = pg_query::Node::descriptor()->file();
  std::vector<Fields> all(static_cast<std::size_t>(file->message_type_count()));
  for (int i = 0; i < file->message_type_count(); ++i) {
    const auto& type = *file->message_type(i);
    Fields& fields = all[static_cast<std::size_t>(i)];
    for (int j = 0; j < type.field_count(); ++j) {
      if (type.field(j)->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        fields.push_back(type.field(j));
    }
    std::ranges::sort(fields, {}, &FieldDescriptor::number);
  }
  return all;
}

const Fields& MessageFields(const google::protobuf::Descriptor& type) {
  static const std::vector<Fields> all = AllMessageFields();
  return all[static_cast<std::size_t>(type.index())];
}

// The library's own list of the fields that are set looks at every field there is; a Node has 250
// of them, and every other message in a tree is one.
void WalkFields(const Message& message, const std::function<void(const Message&)>& visit) {
  const Reflection& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : MessageFields(*message.GetDescriptor())) {
    if (!field->is_repeated()) {
      if (reflection.HasField(message, field)) Walk(reflection.GetMessage(message, field), visit);
      continue;
    }
    const int size = reflection.FieldSize(message, field);
    for (int i = 0; i < size; ++i) Walk(reflection.GetRepeatedMessage(message, field, i), visit);
  }
}

}  // namespace

void Walk(const Message& root, const std::function<void(const Message&)>& visit) {
  static const auto* const node = pg_query::Node::descriptor();
  static const auto* const alternatives = node->oneof_decl(0);
  visit(root);
  if (root.GetDescriptor() != node) {
    WalkFields(root, visit);
    return;
  }
  const Reflection& reflection = *root.GetReflection();
  if (const auto* field = reflection.GetOneofFieldDescriptor(root, alternatives))
    Walk(reflection.GetMessage(root, field), visit);
}

std::string Meaning(const Message& root) {
  const std::unique_ptr<Message> copy(root.New());
  copy->CopyFrom(root);
  ChangeLocations(*copy, [](int) { return 0; });
  return copy->SerializeAsString();
}

Error WithoutPrefix(Error error, std::size_t prefix_size, std::string_view text) {
  if (error.position == 0) return error;
  error.position =
      std::clamp(error.position - static_cast<int>(prefix_size), 1, CharacterAt(text, text.size()));
  return error;
}

Result<std::vector<grammar::Token>> ScanFragment(std::string_view text) {
  auto tokens = grammar::Scan(text);
  if (!tokens) return WithoutPrefix(tokens.error(), 0, text);
  for (const auto& token : *tokens) {
    const bool is_comment = token.IsComment();
    if (!is_comment && token.kind != pg_query::ASCII_59) continue;
    return Error{is_comment ? "a comment cannot stand here"
                            : "a semicolon cannot stand here: this is a part of one statement",
                 CharacterAt(text, token.begin), "leave it out"};
  }
  return tokens;
}

Result<Expression> ReadExpression(std::string_view text) {
  auto tokens = ScanFragment(text);
  if (!tokens) return tokens.error();
  if (tokens->empty()) return Error{"the expression is empty", 0, ""};
  auto bare = grammar::Parse(std::string(kSelect).append(text));
  if (!bare) return WithoutPrefix(bare.error(), kSelect.size(), text);
  const pg_query::Node* value = OnlyValue(*bare);
  if (value == nullptr) return NotOneExpression(0);
  // SELECT takes more than an expression (FROM, INTO, DISTINCT, a label); brackets take less than
  // SELECT. What both read alike is an expression and nothing else.
  const std::string bracketed_prefix = std::string(kSelect) + "(";
  const auto bracketed = grammar::Parse(std::string(bracketed_prefix).append(text) + ")");
  if (!bracketed) {
    const int position = WithoutPrefix(bracketed.error(), bracketed_prefix.size(), text).position;
    return NotOneExpression(position);
  }
  const pg_query::Node* bracketed_value = OnlyValue(*bracketed);
  if (bracketed_value == nullptr || Meaning(*value) != Meaning(*bracketed_value))
    return NotOneExpression(0);
  if (Contains<pg_query::SetToDefault>(*value)) {
    return Error{"DEFAULT is not an expression", 0, "write the default's own expression"};
  }
  Expression expression{std::string(text), *std::move(tokens), *value};
  ChangeLocations(expression.root, [](int location) {
    return location > 0 ? location - static_cast<int>(kSelect.size()) : location;
  });
  return expression;
}

}  // namespace pgalter::sql::tree
