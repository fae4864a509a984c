#include "cli/govern/request_operand.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/rejected.h"

namespace pgalter::cli {

Task<history::Request> LoadRequest(const Context& context, guard::Session& session) {
  const std::string text = context.Operand(0);
  std::int64_t id = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size())
    throw Rejected(ExitCode::kUsage, fmt::format("\"{}\" is no number of a request", text),
                   "pgalter approve lists them");
  auto found = co_await history::ReadRequests(session, id);
  if (found.empty())
    throw Rejected(ExitCode::kUsage, fmt::format("there is no request {}", id),
                   "pgalter approve lists them");
  co_return std::move(found.front());
}

}  // namespace pgalter::cli
