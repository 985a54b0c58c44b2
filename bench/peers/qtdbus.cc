// QtDBus: the library of Qt over libdbus, with its documented asynchronous calls and one event loop.
#include <QCoreApplication>
#include <QDBusArgument>
#include <QDBusConnection>
#include <QDBusInterface>
#include <QDBusMessage>
#include <QDBusMetaType>
#include <QDBusObjectPath>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QEventLoop>
#include <QVariantMap>

#include "sd-bus/harness.h"

using Interfaces = QMap<QString, QVariantMap>;
using Objects = QMap<QDBusObjectPath, Interfaces>;
Q_DECLARE_METATYPE(Interfaces)
Q_DECLARE_METATYPE(Objects)

namespace {

constexpr int kNoTimeLimit = 0x7fffffff;

QEventLoop* loop;
QDBusInterface* bench;
unsigned window, unsent, unanswered;

void send_call() {
  unsent--;
  unanswered++;
  auto* watcher = new QDBusPendingCallWatcher(bench->asyncCall("Echo", QString::fromUtf8(harness_next_text())));
  QObject::connect(watcher, &QDBusPendingCallWatcher::finished, [](QDBusPendingCallWatcher* finished) {
    const QDBusPendingReply<QString> reply = *finished;
    if (reply.isError()) harness_fail("Echo", qPrintable(reply.error().message()));
    finished->deleteLater();
    unanswered--;
    if (unsent > 0) send_call();
    else if (unanswered == 0) loop->quit();
  });
}

void calls(unsigned operations) {
  unsent = operations;
  while (unsent > 0 && unanswered < window) send_call();
  loop->exec();
}

void objects(unsigned operations) {
  QDBusInterface root(BENCH_NAME, "/", OBJECT_MANAGER_INTERFACE, bench->connection());
  for (unsigned i = 0; i < operations; i++) {
    const QDBusPendingReply<Objects> reply = root.asyncCall("GetManagedObjects");
    QDBusPendingCallWatcher watcher(reply);
    watcher.waitForFinished();
    if (reply.isError()) harness_fail("GetManagedObjects", qPrintable(reply.error().message()));
    if (reply.value().isEmpty()) harness_fail("GetManagedObjects", "there are no objects");
  }
}

// Receives the signals of the service.
class Receiver : public QObject {
  Q_OBJECT

 public:
  unsigned received = 0;

 public slots:
  void changed(const QString&, const QVariantMap&, const QStringList&) { received++; }
  void done() { loop->quit(); }
};

Receiver* receiver;

void signals_(unsigned operations) {
  receiver->received = 0;
  bench->asyncCall("Emit", uint{operations});
  loop->exec();
  if (receiver->received != operations) harness_fail("signals", "some were lost");
}

void subscribe(QDBusConnection& bus) {
  receiver = new Receiver;
  const bool heard = bus.connect(BENCH_NAME, BENCH_PATH, PROPERTIES_INTERFACE, "PropertiesChanged", receiver,
                                 SLOT(changed(QString, QVariantMap, QStringList))) &&
                     bus.connect(BENCH_NAME, BENCH_PATH, BENCH_INTERFACE, "Done", receiver, SLOT(done()));
  if (!heard) harness_fail("signals", "the subscription failed");
}

// The object of the service.
class Bench : public QObject {
  Q_OBJECT
  Q_CLASSINFO("D-Bus Interface", BENCH_INTERFACE)

 public slots:
  QString Echo(const QString& text) { return text; }
  double Usage() { return harness_cpu(); }
};

void serve(QDBusConnection& bus) {
  auto* object = new Bench;
  if (!bus.registerObject(BENCH_PATH, object, QDBusConnection::ExportAllSlots)) harness_fail("service", "no object");
  if (!bus.registerService(harness_text("name", BENCH_NAME))) harness_fail("service", "no name");
  puts("ready");
  QCoreApplication::exec();
}

}  // namespace

int main(int argc, char** argv) {
  harness_start(argc, argv);
  int qt_argc = 1;
  QCoreApplication application(qt_argc, argv);
  qDBusRegisterMetaType<Interfaces>();
  qDBusRegisterMetaType<Objects>();
  window = harness_number("window", 1);
  QDBusConnection bus = QDBusConnection::connectToBus(harness_address(), "bench");
  if (!bus.isConnected()) harness_fail("connect", qPrintable(bus.lastError().message()));
  if (harness_workload_is("service")) {
    serve(bus);
    return 0;
  }
  loop = new QEventLoop;
  bench = new QDBusInterface(BENCH_NAME, BENCH_PATH, BENCH_INTERFACE, bus);
  bench->setTimeout(kNoTimeLimit);
  if (harness_workload_is("calls")) return harness_serve(calls, nullptr);
  if (harness_workload_is("objects")) return harness_serve(objects, nullptr);
  if (!harness_workload_is("signals")) harness_fail("no such workload", argv[2]);
  subscribe(bus);
  return harness_serve(signals_, nullptr);
}

#include "qtdbus.moc"
