// The network between a program and a test's server, to be disturbed: a TCP proxy on 127.0.0.1 with
// a thread of its own, ended with its object.
//
// Texts are looked for in what a client sends at once: a statement, not half a megabyte of data.
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace pgalter::test {

class [[nodiscard]] TcpProxy {
 public:
  explicit TcpProxy(int server_port);
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;
  ~TcpProxy();

  [[nodiscard]] int port() const { return port_; }

  // Resets every connection, at both ends.
  void Cut();
  // Cut, and new connections are refused.
  void Refuse();
  // Half-open: connections stay, new ones are made, and nothing passes.
  void Silence();
  // New connections work again, and those made in the silence. Older ones are never heard of again:
  // what was in between has forgotten them.
  void Restore();
  void Delay(std::chrono::milliseconds each_way);

  // Once, when a client sends this text: the server gets it; its answer is lost, and the connection
  // with it.
  void CutAtAnswerTo(std::string text);
  // Once, when a client sends this text: the server gets it, and then all is silent.
  void SilenceAfter(std::string text);
  // It has come to that.
  [[nodiscard]] bool happened();
  // Connections that clients have made so far.
  [[nodiscard]] int connections();

 private:
  using Clock = std::chrono::steady_clock;

  class Socket {
   public:
    explicit Socket(int fd = -1) : fd_(fd) {}
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }
    void ResetOnClose() const;

   private:
    int fd_;
  };
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  struct Pipe {
    std::deque<Piece> pieces;
    bool ended = false;
  };
  struct Link {
    Socket client;
    Socket server;  // made once something may pass
    Pipe up;
    Pipe down;
    bool forgotten = false;
    bool answer_is_lost = false;
  };
  enum class Mode { kPassing, kRefusing, kSilent };

  static Socket Listen();
  void Run();
  // Passes on what can be. Milliseconds until more is due, or -1.
  int Step();
  void Accept();
  bool Pump(Link& link);  // false: the link has ended
  void Receive(int from, Pipe& pipe) const;
  static void Send(int to, Pipe& pipe);
  void LookFor(Link& link);
  void BeSilent();
  void DropLinks();
  void Wake() const;

  const int server_port_;
  const Socket listener_;
  const Socket wake_;
  int port_ = 0;
  std::mutex mutex_;  // of all below
  Mode mode_ = Mode::kPassing;
  std::chrono::milliseconds delay_{0};
  std::string cut_text_;
  std::string silence_text_;
  bool happened_ = false;
  bool stopping_ = false;
  int connections_ = 0;
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace pgalter::test
