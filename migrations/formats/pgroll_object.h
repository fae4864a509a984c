#pragma once

// A part of a file of pgroll, read strictly, and how it is written as SQL. Pure; private to
// migrations/formats.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::formats {

// What is wrong with an operation, without its place.
class BadOperation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// All of its functions throw BadOperation: something is missing, or of another type.
class PgrollObject {
 public:
  // `where` is for messages. Keeps a pointer to the value.
  PgrollObject(const boost::json::value& value, std::string where);

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const boost::json::object& members() const { return *object_; }

  // Throws where there is a key beside these: what is not understood is not left out.
  void Know(std::initializer_list<std::string_view> keys) const;
  [[nodiscard]] const boost::json::value* Find(std::string_view key) const;
  [[nodiscard]] bool Has(std::string_view key) const { return Find(key) != nullptr; }
  // As the server is to read it; empty: it is not there, or is nothing.
  [[nodiscard]] std::string Text(std::string_view key) const;
  [[nodiscard]] std::string Need(std::string_view key) const;
  // A name, quoted.
  [[nodiscard]] std::string Name(std::string_view key) const;
  // YAML's are texts.
  [[nodiscard]] bool Flag(std::string_view key, bool otherwise = false) const;
  [[nodiscard]] std::vector<std::string> Texts(std::string_view key) const;
  [[nodiscard]] const boost::json::array& Items(std::string_view key) const;
  [[nodiscard]] std::optional<PgrollObject> Inner(std::string_view key) const;
  // An expression on one line. pgroll reads "SELECT expression", too, as a query of its own; where
  // that is all of it, it is the expression.
  [[nodiscard]] std::string Expression(std::string_view key) const;

 private:
  [[nodiscard]] std::string TextOf(const boost::json::value& value, std::string_view key) const;

  const boost::json::object* object_ = nullptr;
  std::string where_;
};

[[nodiscard]] std::string Joined(const std::vector<std::string>& parts, std::string_view between);
// Quoted, with commas.
[[nodiscard]] std::string NamesOf(const std::vector<std::string>& names);

// CONSTRAINT name …, of one column or of a table.
[[nodiscard]] std::string ColumnReference(const PgrollObject& references,
                                          const std::string& column);
[[nodiscard]] std::string ColumnCheck(const PgrollObject& check);
[[nodiscard]] std::string TableConstraint(const PgrollObject& constraint);

}  // namespace pgalter::formats
