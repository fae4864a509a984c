// The live catalog as the engine reads it, from plain test code, over one session.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <stdexcept>
#include <string>

#include "engine/catalog/read_schema.h"

namespace pgalter::test {

class LiveSchema {
 public:
  explicit LiveSchema(const std::string& conninfo) {
    guard::SessionOptions options;
    options.connect.conninfo = pg::Conninfo::Parse(conninfo);
    Drive(Open(std::move(options)));
  }
  LiveSchema(const LiveSchema&) = delete;
  LiveSchema& operator=(const LiveSchema&) = delete;
  ~LiveSchema() { session_.db().Close(); }

  catalog::Schema Read() {
    catalog::Schema schema;
    Drive(ReadInto(schema));
    return schema;
  }

 private:
  async::Task<> Open(guard::SessionOptions options) {
    session_ = co_await guard::Session::Open(std::move(options));
  }
  async::Task<> ReadInto(catalog::Schema& schema) { schema = co_await live::ReadSchema(session_); }
  void Drive(async::Task<> task) {
    std::exception_ptr failure;
    boost::asio::co_spawn(context_, std::move(task),
                          [&failure](const std::exception_ptr& error) { failure = error; });
    context_.restart();
    context_.run_for(std::chrono::seconds(60));
    if (!context_.stopped()) throw std::runtime_error("the catalog was not read in time");
    if (failure) std::rethrow_exception(failure);
  }

  boost::asio::io_context context_;
  guard::Session session_;
};

}  // namespace pgalter::test
