// The authentication protocol, line by line, of either role.
#include "wire/sasl.h"

#include <random>
#include <string>
#include <vector>

#include "check.h"

using namespace busbar::wire;
using namespace std::string_literals;

namespace {

constexpr Guid kGuid = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
const std::string kOk = "OK 0123456789abcdef0123456789abcdef\r\n";
// 1000, the user id of the clients here.
const std::string kUid = "31303030";
const std::string kAuthUid = "\0AUTH EXTERNAL 31303030\r\n"s;
const std::string kAuthAnonymous = "\0AUTH ANONYMOUS 627573626172\r\n"s;
const std::string kDialect = "ERROR not understood here\r\n";
const std::string kNegotiate = "NEGOTIATE_UNIX_FD\r\n";
const std::string kNegotiateAndBegin = "NEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

// Says something to a machine in portions, and returns how much it took.
size_t say(SaslExchange& exchange, std::string_view text, size_t portion = SIZE_MAX) {
  size_t said = 0;
  while (said < text.size()) {
    const std::string_view part = text.substr(said, portion);
    const size_t taken = exchange.receive({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
    said += taken;
    if (taken < part.size()) break;
  }
  return said;
}

SaslServer::Options server_options() { return {.uid = 1000, .anonymous = false, .fds = true, .guid = kGuid}; }
SaslClient::Options client_options() { return {.uid = 1000, .fds = true}; }

// All answers of a server to the text after the NUL.
struct Answer {
  explicit Answer(std::string_view text, SaslServer::Options options = server_options()) : server(options) {
    say(server, "\0"s + std::string(text));
    said = server.take_output();
  }

  SaslServer server;
  std::string said;
};

std::string answer(std::string_view text, SaslServer::Options options = server_options()) {
  return Answer(text, options).said;
}

SaslFailure failure_of(std::string_view text) { return Answer(text).server.failure(); }

// A client that has heard something, and what it said to that.
struct Reaction {
  explicit Reaction(std::string_view text, SaslClient::Options options = client_options()) : client(options) {
    greeting = client.take_output();
    taken = say(client, text);
    said = client.take_output();
  }

  SaslClient client;
  std::string greeting;
  std::string said;
  size_t taken;
};

std::string reaction(std::string_view text, SaslClient::Options options = client_options()) {
  return Reaction(text, options).said;
}

}  // namespace

TEST("a server accepts the user id that the kernel reports, claimed or left out") {
  CHECK(answer("AUTH EXTERNAL 31303030\r\n") == kOk);
  CHECK(answer("AUTH EXTERNAL\r\n") == "DATA\r\n");
  CHECK(answer("AUTH EXTERNAL\r\nDATA\r\n") == "DATA\r\n" + kOk);
  CHECK(answer("AUTH EXTERNAL\r\nDATA 31303030\r\n") == "DATA\r\n" + kOk);
}

TEST("a server rejects every other client, and lists its mechanisms") {
  for (const char* identity : {
           "30",              // root
           "3130303031",      // 10001
           "303031303030",    // 001000
           "2031303030",      // a space before it
           "313030300a",      // a newline behind it
           "31303030003030",  // a NUL in it
           "726f6f74",        // root by name
           "3130303",         // half a digit
           "3130303g",
           "1000",  // not hexadecimal, and not encoded
       }) {
    CHECK(answer("AUTH EXTERNAL "s + identity + "\r\n") == "REJECTED EXTERNAL\r\n");
    CHECK(answer("AUTH EXTERNAL\r\nDATA "s + identity + "\r\n") == "DATA\r\nREJECTED EXTERNAL\r\n");
  }
  for (const char* mechanism :
       {"", " ", " ANONYMOUS", " ANONYMOUS 00", " DBUS_COOKIE_SHA1 31303030", " external"})
    CHECK(answer("AUTH"s + mechanism + "\r\n") == "REJECTED EXTERNAL\r\n");
}

TEST("a server lets anonymous clients in only if an option says so") {
  SaslServer::Options options = server_options();
  options.anonymous = true;
  CHECK(answer("AUTH\r\n", options) == "REJECTED EXTERNAL ANONYMOUS\r\n");
  CHECK(answer("AUTH ANONYMOUS\r\n", options) == "DATA\r\n");
  CHECK(answer("AUTH ANONYMOUS\r\nDATA\r\n", options) == "DATA\r\n" + kOk);
  CHECK(answer("AUTH ANONYMOUS 627573626172\r\n", options) == kOk);
  // A trace is text.
  for (const char* trace : {"00", "ff", "6", "xx"})
    CHECK(answer("AUTH ANONYMOUS "s + trace + "\r\n", options) == "REJECTED EXTERNAL ANONYMOUS\r\n");
  // That it may come in does not make it another user.
  CHECK(answer("AUTH EXTERNAL 30\r\n", options) == "REJECTED EXTERNAL ANONYMOUS\r\n");
}

TEST("a server that does not know the user of a client accepts no claim of the client") {
  SaslServer::Options options = server_options();
  options.uid.reset();
  for (const char* line : {"AUTH\r\n", "AUTH EXTERNAL\r\n", "AUTH EXTERNAL 31303030\r\n"})
    CHECK(answer(line, options) == "REJECTED\r\n");
  options.anonymous = true;
  CHECK(answer("AUTH EXTERNAL 31303030\r\n", options) == "REJECTED ANONYMOUS\r\n");
  CHECK(answer("AUTH ANONYMOUS\r\nDATA\r\n", options) == "DATA\r\n" + kOk);
}

TEST("a server answers every command in every state as the specification says") {
  const std::string auth = "AUTH EXTERNAL\r\n", data = "AUTH EXTERNAL\r\nDATA\r\n";
  const std::string rejected = "REJECTED EXTERNAL\r\n";
  struct Case {
    const char* line;
    std::string waiting_for_auth, waiting_for_data, waiting_for_begin;
  };
  const std::string nothing;
  for (const Case& each : {
           Case{"AUTH EXTERNAL 31303030", kOk, kDialect, kDialect},
           Case{"DATA 31303030", kDialect, kOk, kDialect},
           Case{"CANCEL", kDialect, rejected, rejected},
           Case{"ERROR", rejected, rejected, rejected},
           Case{"ERROR for some reason", rejected, rejected, rejected},
           Case{"NEGOTIATE_UNIX_FD", kDialect, kDialect, "AGREE_UNIX_FD\r\n"},
           Case{"OK 0123456789abcdef0123456789abcdef", kDialect, kDialect, kDialect},
           Case{"REJECTED", kDialect, kDialect, kDialect},
           Case{"AGREE_UNIX_FD", kDialect, kDialect, kDialect},
           Case{"GET /", kDialect, kDialect, kDialect},
           Case{"auth EXTERNAL 31303030", kDialect, kDialect, kDialect},
           Case{"data", kDialect, kDialect, kDialect},
           Case{"", kDialect, kDialect, kDialect},
           Case{" AUTH EXTERNAL", kDialect, kDialect, kDialect},
           Case{"BEGIN", nothing, nothing, nothing},
       }) {
    const std::string line = each.line + "\r\n"s;
    CHECK(answer(line) == each.waiting_for_auth);
    CHECK(answer(auth + line) == "DATA\r\n" + each.waiting_for_data);
    CHECK(answer(data + line) == "DATA\r\n" + kOk + each.waiting_for_begin);
  }
  CHECK(failure_of("BEGIN\r\n") == SaslFailure::kBegin &&
        failure_of(auth + "BEGIN\r\n") == SaslFailure::kBegin);
  CHECK(Answer(data + "BEGIN\r\n").server.is_done());
}

TEST("after a rejection, a cancellation or an error a client may try again, but for five times") {
  for (const char* line :
       {"AUTH\r\n", "ERROR\r\n", "AUTH EXTERNAL\r\nCANCEL\r\n", "AUTH EXTERNAL 31303030\r\nCANCEL\r\n"}) {
    std::string text;
    for (int i = 0; i < 5; i++) text += line;
    CHECK(failure_of(text) == SaslFailure::kNone);
    CHECK(answer(text + "AUTH EXTERNAL 31303030\r\n").ends_with(kOk));
    CHECK(failure_of(text + line) == SaslFailure::kAttempts);
    CHECK(answer(text + line).ends_with("REJECTED EXTERNAL\r\n"));
  }
}

TEST("descriptors are agreed on where there can be any, and only after authentication") {
  const std::string auth = "AUTH EXTERNAL 31303030\r\n";
  CHECK(Answer(auth + kNegotiateAndBegin).server.passes_fds());
  CHECK(!Answer(auth + "BEGIN\r\n").server.passes_fds());
  CHECK(!Answer("NEGOTIATE_UNIX_FD\r\n" + auth + "BEGIN\r\n").server.passes_fds());
  // The end of an identity also ends the agreement on descriptors.
  CHECK(!Answer(auth + "NEGOTIATE_UNIX_FD\r\nCANCEL\r\n" + auth + "BEGIN\r\n").server.passes_fds());
  SaslServer::Options options = server_options();
  options.fds = false;
  const Answer refused(auth + kNegotiateAndBegin, options);
  CHECK(refused.said == kOk + "ERROR no descriptors here\r\n");
  CHECK(refused.server.is_done() && !refused.server.passes_fds());
}

TEST("a client has to begin with NUL") {
  for (const char* text :
       {"A", "AUTH EXTERNAL 31303030\r\n", "GET / HTTP/1.1\r\n\r\n", "\r\n", "\x16\x03\x01"}) {
    SaslServer server(server_options());
    CHECK(say(server, text) == 1);
    CHECK(server.failure() == SaslFailure::kNoNul && server.take_output().empty());
  }
  CHECK(failure_of("") == SaslFailure::kNone);
}

TEST("lines are printable ASCII, and end with CR LF alone") {
  for (const std::string& line :
       {"AUTH\n"s, "AUTH\r\r\n"s, "AUTH\rX\r\n"s, "\n"s, "\0"s, "AUTH\tEXTERNAL\r\n"s, "AUTH \x7f"s,
        "AUTH \x80\r\n"s, "\xff"s, "ERROR caf\xc3\xa9\r\n"s, "AUTH EXTERNAL\r\nDATA \0\r\n"s}) {
    CHECK(failure_of(line) == SaslFailure::kNoText);
    CHECK(Reaction(line).client.failure() == SaslFailure::kNoText);
  }
}

TEST("a line has 16 KiB at most, its end included") {
  const std::string longest = "ERROR " + std::string(16384 - 8, 'x') + "\r\n";
  REQUIRE(longest.size() == 16384);
  CHECK(answer(longest) == "REJECTED EXTERNAL\r\n");
  CHECK(reaction(longest) == "CANCEL\r\n");
  CHECK(failure_of("E" + longest) == SaslFailure::kLineLength);
  CHECK(Reaction("E" + longest).client.failure() == SaslFailure::kLineLength);
  // It is not waited for its end.
  CHECK(failure_of(std::string(16384, 'x')) == SaslFailure::kLineLength);
}

TEST("a handshake has 64 lines at most") {
  std::string lines;
  for (int i = 0; i < 62; i++) lines += "NONSENSE\r\n";
  CHECK(Answer(lines + "AUTH EXTERNAL 31303030\r\nBEGIN\r\n").server.is_done());
  CHECK(failure_of(lines + "X\r\nAUTH EXTERNAL 31303030\r\nBEGIN\r\n") == SaslFailure::kLineCount);
  CHECK(Reaction(lines + "X\r\nX\r\nX\r\n").client.failure() == SaslFailure::kLineCount);
}

TEST("additional spaces between words do not count, and digits may be upper-case") {
  CHECK(answer("AUTH  EXTERNAL  31303030 \r\n") == kOk);
  CHECK(answer("AUTH EXTERNAL \r\nDATA \r\n") == "DATA\r\n" + kOk);
  SaslServer::Options options = server_options();
  options.anonymous = true;
  CHECK(answer("AUTH ANONYMOUS 6A6B4f\r\n", options) == kOk);
  // Two responses are none.
  CHECK(answer("AUTH EXTERNAL 31303030 31303030\r\n") == "REJECTED EXTERNAL\r\n");
}

TEST("a server understands a client that says everything at once, in any portions, and leaves the messages") {
  const std::string said = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"s;
  const std::string messages = "l\1\0\1\r\n\0BEGIN\r\n"s;
  for (size_t portion = 1; portion <= said.size() + messages.size(); portion++) {
    SaslServer server(server_options());
    CHECK(say(server, said + messages, portion) == said.size());
    CHECK(server.is_done() && server.passes_fds());
    CHECK(server.take_output() == "DATA\r\n" + kOk + "AGREE_UNIX_FD\r\n" && server.take_output().empty());
    CHECK(say(server, messages) == 0);
  }
}

TEST("a client claims its user id, asks for descriptors, and begins") {
  Reaction reaction("");
  CHECK(reaction.greeting == kAuthUid && reaction.said.empty());
  CHECK(say(reaction.client, kOk) == kOk.size());
  CHECK(reaction.client.take_output() == kNegotiateAndBegin && !reaction.client.is_done());
  say(reaction.client, "AGREE_UNIX_FD\r\n");
  CHECK(reaction.client.is_done() && reaction.client.passes_fds() && reaction.client.take_output().empty());
  const Reaction refused(kOk + "ERROR\r\n");
  CHECK(refused.client.is_done() && !refused.client.passes_fds());
  SaslClient::Options options = client_options();
  options.fds = false;
  const Reaction without(kOk, options);
  CHECK(without.said == "BEGIN\r\n" && without.client.is_done() && !without.client.passes_fds());
}

TEST("a client that is rejected asks to be the user that the kernel reports") {
  CHECK(reaction("REJECTED EXTERNAL\r\n") == "AUTH EXTERNAL\r\n");
  CHECK(reaction("REJECTED KERBEROS_V4 EXTERNAL SKEY\r\n") == "AUTH EXTERNAL\r\n");
  CHECK(reaction("REJECTED\r\nDATA\r\n") == "AUTH EXTERNAL\r\nDATA\r\n");
  CHECK(reaction("REJECTED\r\nDATA \r\n" + kOk) == "AUTH EXTERNAL\r\nDATA\r\n" + kNegotiateAndBegin);
  // A server may need no more than the question.
  CHECK(reaction("REJECTED\r\n" + kOk) == "AUTH EXTERNAL\r\n" + kNegotiateAndBegin);
  CHECK(Reaction("REJECTED\r\nREJECTED\r\n").client.failure() == SaslFailure::kRejected);
  CHECK(Reaction("REJECTED\r\nDATA\r\nREJECTED EXTERNAL\r\n").client.failure() == SaslFailure::kRejected);
  // It is not asked again by a way that is not offered.
  for (const char* line : {"REJECTED ANONYMOUS\r\n", "REJECTED XEXTERNAL EXTERNALX\r\n"})
    CHECK(Reaction(line).client.failure() == SaslFailure::kRejected);
}

TEST("an anonymous client names its program, and no user") {
  SaslClient::Options options = client_options();
  options.anonymous = true;
  CHECK(Reaction("", options).greeting == kAuthAnonymous);
  CHECK(reaction(kOk, options) == kNegotiateAndBegin);
  const Reaction rejected("REJECTED EXTERNAL\r\n", options);
  CHECK(rejected.said.empty() && rejected.client.failure() == SaslFailure::kRejected);
}

TEST("a client cancels what it does not want to go on with, and wants to hear that") {
  CHECK(reaction("DATA\r\n") == "CANCEL\r\n");
  CHECK(reaction("ERROR\r\n") == "CANCEL\r\n");
  CHECK(reaction("ERROR\r\nREJECTED EXTERNAL\r\n") == "CANCEL\r\nAUTH EXTERNAL\r\n");
  CHECK(reaction("REJECTED\r\nDATA\r\nDATA\r\n") == "AUTH EXTERNAL\r\nDATA\r\nCANCEL\r\n");
  for (const std::string& line : {kOk, "DATA\r\n"s, "ERROR\r\n"s, "AGREE_UNIX_FD\r\n"s, "\r\n"s})
    CHECK(Reaction("ERROR\r\n" + line).client.failure() == SaslFailure::kReject);
}

TEST("a client answers unknown commands with ERROR") {
  for (const char* line :
       {"AUTH\r\n", "BEGIN\r\n", "AGREE_UNIX_FD\r\n", "ok\r\n", "\r\n", "HELLO there\r\n"}) {
    CHECK(reaction(line) == "ERROR\r\n");
    CHECK(reaction(line + kOk) == "ERROR\r\n" + kNegotiateAndBegin);
    // The messages would begin with such an answer.
    CHECK(Reaction(kOk + (line == "AGREE_UNIX_FD\r\n"s ? "OK\r\n"s : line)).client.failure() ==
          SaslFailure::kAgree);
  }
}

TEST("a client of a bus is the user that the kernel reports, and claims its user id where that is rejected") {
  SaslClient::Options options = client_options();
  options.is_bus = true;
  CHECK(Reaction("", options).greeting == "\0AUTH EXTERNAL\r\n"s);
  CHECK(reaction("DATA\r\n", options) == "DATA\r\n");
  CHECK(reaction("DATA\r\n" + kOk + "AGREE_UNIX_FD\r\n", options) == "DATA\r\n" + kNegotiate + "BEGIN\r\n");
  for (const char* way : {"", "DATA\r\n"}) {
    const std::string rejected = way + "REJECTED EXTERNAL\r\n"s;
    const std::string said = way + kAuthUid.substr(1);
    CHECK(reaction(rejected, options) == said);
    CHECK(reaction(rejected + kOk, options) == said + kNegotiate);
    CHECK(Reaction(way + "REJECTED EXTERNAL\r\nREJECTED\r\n"s, options).client.failure() ==
          SaslFailure::kRejected);
    CHECK(Reaction(way + "REJECTED ANONYMOUS\r\n"s, options).client.failure() == SaslFailure::kRejected);
  }
  // It says one line at a time.
  CHECK(reaction(kOk, options) == kNegotiate);
  CHECK(reaction(kOk + "ERROR\r\n", options) == kNegotiate + "BEGIN\r\n");
  options.fds = false;
  CHECK(reaction(kOk, options) == "BEGIN\r\n");
}

TEST("a client remembers the mechanisms that the server listed") {
  CHECK(Reaction("").client.mechanisms().empty() &&
        Reaction("REJECTED\r\nREJECTED\r\n").client.mechanisms().empty());
  CHECK(Reaction("REJECTED DBUS_COOKIE_SHA1 ANONYMOUS\r\n").client.mechanisms() ==
        "DBUS_COOKIE_SHA1 ANONYMOUS");
  // The first list is remembered.
  CHECK(Reaction("REJECTED EXTERNAL\r\nREJECTED\r\n").client.mechanisms() == "EXTERNAL");
  CHECK(Reaction("REJECTED " + std::string(1000, 'X') + "\r\n").client.mechanisms() == std::string(80, 'X'));
}

TEST("the last line of a server, and the first line that is not an answer, can be shown") {
  CHECK(Reaction("").client.last_heard().empty() && Reaction("").client.nonsense().empty());
  CHECK(Reaction("DATA\r\nOK 01").client.last_heard() == "OK 01");
  CHECK(Reaction("REJECTED\r\n").client.last_heard() == "REJECTED");
  CHECK(Reaction("REJECTED\r\n\r").client.last_heard().empty());
  const Reaction web("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(web.client.nonsense() == "HTTP/1.1 400 Bad Request" && web.client.last_heard().empty());
  // Bytes that are not text end the exchange, and are shown with the bytes after them.
  CHECK(Reaction("\x15\x03\x03\0\2\2P"s).client.last_heard() == "\\x15\\x03\\x03\\x00\\x02\\x02P");
  CHECK(Reaction("220 mail\n250 ok").client.last_heard() == "220 mail\\x0a250 ok");
  CHECK(Reaction(std::string(1000, 'X')).client.last_heard() == std::string(80, 'X'));
}

TEST("a client finds out whether the server is the right one") {
  SaslClient::Options options = client_options();
  options.guid = kGuid;
  CHECK(reaction(kOk, options) == kNegotiateAndBegin);
  CHECK(reaction("OK 0123456789ABCDEF0123456789ABCDEF\r\n", options) == kNegotiateAndBegin);
  CHECK(Reaction("OK 00000000000000000000000000000000\r\n", options).client.failure() ==
        SaslFailure::kOtherServer);
  for (const char* guid :
       {"", " ", " xyz", " 0123456789abcdef0123456789abcde", " 0123456789abcdef0123456789abcdef00",
        " 0123456789abcdef0123456789abcdeg", " 0123456789abcdef 0123456789abcdef"}) {
    const Reaction heard("OK"s + guid + "\r\n");
    CHECK(heard.client.failure() == SaslFailure::kGuid && heard.said.empty());
  }
}

TEST("a client takes answers that come in any portions, and leaves the messages") {
  const std::string said = "REJECTED EXTERNAL\r\nDATA\r\n" + kOk + "AGREE_UNIX_FD\r\n";
  const std::string messages = "l\4\r\n\0OK\r\n"s;
  const std::string all = said + messages;
  const std::string answer = kAuthUid + "AUTH EXTERNAL\r\nDATA\r\n" + kNegotiateAndBegin;
  for (size_t portion = 1; portion <= all.size(); portion++) {
    SaslClient client(client_options());
    CHECK(say(client, all, portion) == said.size());
    CHECK(client.is_done() && client.passes_fds());
    CHECK(client.take_output() == answer);
  }
}

TEST("client and server understand each other, whatever user id the kernel reports") {
  for (const bool fds_there : {false, true}) {
    for (const uint32_t known_as : {1000u, 100000u}) {
      for (const int kind : {0, 1, 2}) {
        const bool anonymous = kind == 2;
        SaslClient client(
            {.uid = 1000, .is_bus = kind == 1, .anonymous = anonymous, .fds = true, .guid = kGuid});
        SaslServer server({.uid = known_as, .anonymous = anonymous, .fds = fds_there, .guid = kGuid});
        for (int i = 0; i < 10; i++) {
          say(server, client.take_output());
          say(client, server.take_output());
        }
        CHECK(client.is_done() && server.is_done());
        CHECK(client.passes_fds() == fds_there && server.passes_fds() == fds_there);
      }
    }
  }
}

TEST("an exchange stays within its limits with any input") {
  const std::vector<std::string> words = {
      "AUTH",     "EXTERNAL", "ANONYMOUS", "DATA",
      "BEGIN",    "CANCEL",   "ERROR",     "NEGOTIATE_UNIX_FD",
      "OK",       "REJECTED", "\r\n",      "AGREE_UNIX_FD",
      " ",        kUid,       "\r\n",      kOk,
      "\r\nX",    "\0"s,      "\xff",      "\n",
      "31303030", "\r\n",     " ",         "\r\n",
  };
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; round++) {
    SaslServer::Options options = server_options();
    options.anonymous = random() % 2 == 0;
    SaslServer server(options);
    SaslClient client(client_options());
    say(server, "\0"s);
    size_t said = 0;
    for (int i = 0; i < 60; i++) {
      // Mostly words, so that states are reached; sometimes any byte.
      const std::string part =
          random() % 50 == 0 ? std::string(1, static_cast<char>(random())) : words[random() % words.size()];
      say(server, part, 1 + random() % 5);
      say(client, part, 1 + random() % 5);
      said += server.take_output().size() + client.take_output().size();
    }
    CHECK(said < size_t{64} * 2 * 64);
    CHECK(!(server.is_done() && server.failure() != SaslFailure::kNone));
    CHECK(!(client.is_done() && client.failure() != SaslFailure::kNone));
  }
}

TEST("every failure has its own text") {
  std::vector<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(SaslFailure::kAgree); i++) {
    const std::string_view text = describe(static_cast<SaslFailure>(i));
    CHECK(!text.empty());
    for (const std::string_view other : texts) CHECK(text != other);
    texts.push_back(text);
  }
}
