#pragma once

// How planner/sql answers: a value, or why there is none. A refusal of user text is never an
// exception.

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace pgalter::sql {

// `message` may quote a piece of the text it is about: show it to whoever wrote that text, keep it
// out of logs.
struct Error {
  std::string message;
  int position = 0;  // 1-based character of the caller's text; 0 when no place can be named
  std::string hint;  // what to write instead; may be empty

  Error() = default;
  // Never from a message alone: were a string an Error, Result<std::string> could not tell which
  // one it is given.
  Error(std::string what, int where, std::string advice = {})
      : message(std::move(what)), position(where), hint(std::move(advice)) {}
};

template <class T>
using Result = boost::system::result<T, Error>;

// Boost calls this when value() is asked of a failed result: a mistake of the caller.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& /*where*/) {
  throw std::logic_error(error.message);
}

}  // namespace pgalter::sql
