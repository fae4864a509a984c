#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/serve/control.h"
#include "cli/serve/feed.h"
#include "cli/serve/http_server.h"
#include "cli/serve/maintenance.h"
#include "cli/serve/site.h"
#include "cli/serve/token.h"
#include "engine/async/task_group.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr const char* kDefaultListen = "127.0.0.1:8432";

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("listen",
       po::value<std::string>()->default_value(kDefaultListen)->value_name("ADDRESS:PORT"),
       "where the page is; an address of the loopback interface, port 0 for any")  //
      ("allow-control",
       "the page may also pause, resume, throttle, postpone, cut over and abort")  //
      ("token-file", po::value<std::string>()->value_name("FILE"),
       "ask for the token that is in this file; without it --allow-control makes one up")  //
      ("host", po::value<std::vector<std::string>>()->value_name("NAME")->composing(),
       "a name that it is called by besides localhost, by a proxy in front of it; needs a token")  //
      ("maintain", po::value<std::vector<std::string>>()->value_name("TABLE|all")->composing(),
       "keep this partitioned table's ranges ahead of the clock, as `partition maintain` does; "
       "'TABLE,premake=6,time-zone=ZONE' with its options; all: every table that is partitioned by "
       "range and belongs to the role, once it has a first range; once for each")  //
      ("maintain-every", po::value<std::string>()->default_value("1h")->value_name("DURATION"),
       "how often each of them is looked at");
}

serve::ListenAddress ReadListen(const std::string& text) {
  serve::ListenAddress address;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    const std::string_view port = std::string_view(text).substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
    address.host = text.substr(0, colon);
    if (address.host.starts_with("[") && address.host.ends_with("]"))
      address.host = address.host.substr(1, address.host.size() - 2);
    if (!port.empty() && read.ec == std::errc() && read.ptr == port.data() + port.size())
      return address;
  }
  throw Rejected(ExitCode::kUsage, fmt::format("--listen \"{}\" is no ADDRESS:PORT", text),
                 fmt::format("as --listen {}", kDefaultListen));
}

serve::Access ReadAccess(const Context& context) {
  serve::Access access;
  if (context.Has("token-file")) access.token = serve::ReadToken(context.Get("token-file"));
  if (context.Has("allow-control")) {
    access.control = serve::Control::kAllowed;
    if (access.token.empty()) access.token = serve::MakeToken();
  }
  if (!context.Has("host")) return access;
  access.hosts = context.Get<std::vector<std::string>>("host");
  if (access.token.empty())
    throw Rejected(ExitCode::kUsage, "--host lets others in, and so needs a token",
                   "--token-file FILE");
  return access;
}

serve::MaintainOptions ReadMaintain(const Context& context) {
  serve::MaintainOptions options;
  options.every = serve::ReadMaintainEvery(context.Get("maintain-every"));
  if (context.Has("maintain"))
    for (const std::string& text : context.Get<std::vector<std::string>>("maintain"))
      options.wishes.push_back(serve::ReadMaintainWish(text));
  else if (!context.options["maintain-every"].defaulted())
    throw Rejected(ExitCode::kUsage, "--maintain-every says how often, but nothing is maintained",
                   "--maintain TABLE, or --maintain all");
  serve::RefuseTwice(options.wishes);
  return options;
}

// A token of our own goes with the address: behind the #, where no browser sends it to anybody.
void SayWhere(const Context& context, const std::string& address, const serve::Access& access) {
  std::string url = fmt::format("http://{}/", address);
  if (!access.token.empty() && !context.Has("token-file")) url += "#t=" + access.token;
  if (context.output == Output::kJson)
    PrintJson({{"version", 1}, {"url", url}});
  else
    Print(url + "\n");
}

Task<> EndAtASignal(async::TaskGroup& group, bool& asked) {
  boost::asio::signal_set signals(co_await boost::asio::this_coro::executor, SIGINT, SIGTERM);
  co_await signals.async_wait(boost::asio::use_awaitable);
  asked = true;
  group.Cancel();
}

Task<ExitCode> Run(Context& context) {
  const serve::ListenAddress listen = ReadListen(context.Get("listen"));
  const serve::Access access = ReadAccess(context);
  serve::MaintainOptions maintain = ReadMaintain(context);
  serve::HttpServer server;
  co_await server.Listen(listen);
  serve::Feed feed(context.Connect());
  co_await feed.Open();
  serve::Controls controls(context);
  auto control = [&](std::string run, std::string action, std::string body) {
    return controls.Do(std::move(run), std::move(action), std::move(body));
  };
  serve::Maintenance maintenance(context, std::move(maintain), [&feed] { feed.Touch(); });
  co_await maintenance.RefuseUnfit();
  serve::Site site(feed, maintenance, {access, PGALTER_VERSION}, control);
  SayWhere(context, server.address(), access);
  auto answer = [&](serve::Request request) { return site.Answer(std::move(request)); };
  bool asked = false;
  auto all = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(feed.Follow());
    group.Spawn(server.Serve(answer));
    group.Spawn(EndAtASignal(group, asked));
    if (maintenance.asked()) group.Spawn(maintenance.Follow());
    co_await group.Join();
  };
  std::exception_ptr failure;
  try {
    co_await async::WithTaskGroup(all);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && !(asked && async::IsCancellation(failure))) std::rethrow_exception(failure);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kServeCommand;
const CommandBody kServeCommand{
    .description =
        "Shows the runs of a database on a page, which follows them as they go, and their figures "
        "for Prometheus at /metrics. All of it comes from the database: runs of every machine are "
        "there, and it can be started and ended at any time. Reads only, but for --maintain, and "
        "for "
        "--allow-control: then the page has buttons, which do what the commands of the same name "
        "do, by the rights of "
        "the "
        "role that it is connected as; `resume` starts a runner on this machine.\n\n"
        "With --maintain it keeps partitioned tables partitioned: every hour (--maintain-every) "
        "each of them gets its next ranges, one after the other, as by `pgalter partition "
        "maintain` from cron. What was done and what failed is said on stderr and in the log, on "
        "the page, at /api/maintenance and /metrics.\n\n"
        "It listens on the loopback interface alone. From other machines: ssh -L "
        "8432:127.0.0.1:8432 HOST.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
