// sdbus-c++: a C++ library over sd-bus, with its documented convenience calls and one thread.
#include <sdbus-c++/sdbus-c++.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sd-bus/harness.h"

namespace {

using Properties = std::map<std::string, sdbus::Variant>;
using Objects = std::map<sdbus::ObjectPath, std::map<std::string, Properties>>;

std::unique_ptr<sdbus::IConnection> bus;
std::unique_ptr<sdbus::IProxy> bench;
unsigned window, unsent, unanswered, received;

void send_call() {
  unsent--;
  unanswered++;
  bench->callMethodAsync("Echo")
      .onInterface(BENCH_INTERFACE)
      .withArguments(std::string(harness_next_text()))
      .uponReplyInvoke([](const sdbus::Error* error, const std::string&) {
        if (error != nullptr) harness_fail("Echo", error->what());
        unanswered--;
        if (unsent > 0) send_call();
        else if (unanswered == 0) bus->leaveEventLoop();
      });
}

void calls(unsigned operations) {
  unsent = operations;
  while (unsent > 0 && unanswered < window) send_call();
  bus->enterEventLoop();
}

void signals(unsigned operations) {
  received = 0;
  bench->callMethod("Emit").onInterface(BENCH_INTERFACE).withArguments(uint32_t{operations});
  bus->enterEventLoop();
  if (received != operations) harness_fail("signals", "some were lost");
}

void objects(unsigned operations) {
  const auto root = sdbus::createProxy(*bus, BENCH_NAME, "/");
  for (unsigned i = 0; i < operations; i++) {
    Objects found;
    root->callMethod("GetManagedObjects").onInterface(OBJECT_MANAGER_INTERFACE).storeResultsTo(found);
    if (found.empty()) harness_fail("GetManagedObjects", "there are no objects");
  }
}

void serve() {
  const auto object = sdbus::createObject(*bus, BENCH_PATH);
  object->registerMethod("Echo").onInterface(BENCH_INTERFACE).implementedAs([](const std::string& text) {
    return text;
  });
  object->registerMethod("Usage").onInterface(BENCH_INTERFACE).implementedAs([] { return harness_cpu(); });
  object->finishRegistration();
  bus->requestName(harness_text("name", BENCH_NAME));
  puts("ready");
  bus->enterEventLoop();
}

void subscribe() {
  bench->uponSignal("PropertiesChanged")
      .onInterface(PROPERTIES_INTERFACE)
      .call([](const std::string&, const Properties&, const std::vector<std::string>&) { received++; });
  bench->uponSignal("Done").onInterface(BENCH_INTERFACE).call([] { bus->leaveEventLoop(); });
  bench->finishRegistration();
}

}  // namespace

int main(int argc, char** argv) {
  harness_start(argc, argv);
  window = harness_number("window", 1);
  bus = sdbus::createSessionBusConnectionWithAddress(harness_address());
  if (harness_workload_is("service")) {
    serve();
    return 0;
  }
  bench = sdbus::createProxy(*bus, BENCH_NAME, BENCH_PATH);
  if (harness_workload_is("calls")) return harness_serve(calls, nullptr);
  if (harness_workload_is("objects")) return harness_serve(objects, nullptr);
  if (!harness_workload_is("signals")) harness_fail("no such workload", argv[2]);
  subscribe();
  return harness_serve(signals, nullptr);
}
