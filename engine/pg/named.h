// Parameters of a statement by their names, for texts with so many that nobody counts them: a text
// has `:name` where the value stands, and is bound with those that it has. A colon before a letter
// stands for nothing else in such a text, `::` apart, which is a cast.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/pg/connection.h"

namespace pgalter::pg {

class Named {
 public:
  // `type`: what the server takes the value for, e.g. "text[]".
  template <class T>
  void Add(std::string_view name, std::string_view type, const T& value) {
    values_.push_back({name, type, [value](Params& params) { params.Add(value); }});
  }

  // Throws std::logic_error: a name that was not added.
  [[nodiscard]] Statement Bind(std::string_view text) const;

 private:
  struct Value {
    std::string_view name;
    std::string_view type;
    std::function<void(Params&)> add;
  };
  [[nodiscard]] const Value& Find(std::string_view name) const;

  std::vector<Value> values_;
};

}  // namespace pgalter::pg
