// libpq, loaded when a function of it is first called. What it brings along (Kerberos, LDAP, TLS)
// takes a process 5 ms to load, more than everything else; `pgalter lint` and its like have no use
// for it. Linked into the program alone: tests link the library itself.
//
// A function that is missing here is no mistake: the program is then linked with the library again.

#include <dlfcn.h>
#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void Fail() {
  std::fprintf(stderr,
               "pgalter: libpq cannot be used: %s\nhint: install PostgreSQL's client library\n",
               ::dlerror());
  std::exit(9);  // as where there is no connection
}

template <class Function>
Function* Find(const char* name) {
  static void* const library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) Fail();
  void* const found = ::dlsym(library, name);
  if (found == nullptr) Fail();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

// The same declarations as in libpq-fe.h.
#define PGALTER_LIBPQ(result, name, parameters, arguments) \
  result name parameters {                                 \
    static const auto real = Find<decltype(name)>(#name);  \
    return real arguments;                                 \
  }

PGALTER_LIBPQ(int, PQbackendPID, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQcancel, (PGcancel * cancel, char* errbuf, int errbufsize),
              (cancel, errbuf, errbufsize))
PGALTER_LIBPQ(void, PQclear, (PGresult * res), (res))
PGALTER_LIBPQ(char*, PQcmdStatus, (PGresult * res), (res))
PGALTER_LIBPQ(char*, PQcmdTuples, (PGresult * res), (res))
PGALTER_LIBPQ(PostgresPollingStatusType, PQconnectPoll, (PGconn * conn), (conn))
PGALTER_LIBPQ(PGconn*, PQconnectStart, (const char* conninfo), (conninfo))
PGALTER_LIBPQ(PGconn*, PQconnectStartParams,
              (const char* const* keywords, const char* const* values, int expand_dbname),
              (keywords, values, expand_dbname))
PGALTER_LIBPQ(PQconninfoOption*, PQconninfo, (PGconn * conn), (conn))
PGALTER_LIBPQ(void, PQconninfoFree, (PQconninfoOption * connOptions), (connOptions))
PGALTER_LIBPQ(PQconninfoOption*, PQconninfoParse, (const char* conninfo, char** errmsg),
              (conninfo, errmsg))
PGALTER_LIBPQ(int, PQconsumeInput, (PGconn * conn), (conn))
PGALTER_LIBPQ(char*, PQdb, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQenterPipelineMode, (PGconn * conn), (conn))
PGALTER_LIBPQ(char*, PQerrorMessage, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQexitPipelineMode, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQfformat, (const PGresult* res, int field_num), (res, field_num))
PGALTER_LIBPQ(void, PQfinish, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQflush, (PGconn * conn), (conn))
PGALTER_LIBPQ(char*, PQfname, (const PGresult* res, int field_num), (res, field_num))
PGALTER_LIBPQ(void, PQfreeCancel, (PGcancel * cancel), (cancel))
PGALTER_LIBPQ(void, PQfreemem, (void* ptr), (ptr))
PGALTER_LIBPQ(PGcancel*, PQgetCancel, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQgetCopyData, (PGconn * conn, char** buffer, int async), (conn, buffer, async))
PGALTER_LIBPQ(PGresult*, PQgetResult, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQgetisnull, (const PGresult* res, int tup_num, int field_num),
              (res, tup_num, field_num))
PGALTER_LIBPQ(int, PQgetlength, (const PGresult* res, int tup_num, int field_num),
              (res, tup_num, field_num))
PGALTER_LIBPQ(char*, PQgetvalue, (const PGresult* res, int tup_num, int field_num),
              (res, tup_num, field_num))
PGALTER_LIBPQ(char*, PQhost, (const PGconn* conn), (conn))
PGALTER_LIBPQ(char*, PQhostaddr, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQisBusy, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQnfields, (const PGresult* res), (res))
PGALTER_LIBPQ(PGnotify*, PQnotifies, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQntuples, (const PGresult* res), (res))
PGALTER_LIBPQ(const char*, PQparameterStatus, (const PGconn* conn, const char* paramName),
              (conn, paramName))
PGALTER_LIBPQ(PGpipelineStatus, PQpipelineStatus, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQpipelineSync, (PGconn * conn), (conn))
PGALTER_LIBPQ(char*, PQport, (const PGconn* conn), (conn))
PGALTER_LIBPQ(int, PQputCopyData, (PGconn * conn, const char* buffer, int nbytes),
              (conn, buffer, nbytes))
PGALTER_LIBPQ(int, PQputCopyEnd, (PGconn * conn, const char* errormsg), (conn, errormsg))
PGALTER_LIBPQ(char*, PQresultErrorField, (const PGresult* res, int fieldcode), (res, fieldcode))
PGALTER_LIBPQ(ExecStatusType, PQresultStatus, (const PGresult* res), (res))
PGALTER_LIBPQ(int, PQsendPrepare,
              (PGconn * conn, const char* stmtName, const char* query, int nParams,
               const Oid* paramTypes),
              (conn, stmtName, query, nParams, paramTypes))
PGALTER_LIBPQ(int, PQsendQuery, (PGconn * conn, const char* query), (conn, query))
PGALTER_LIBPQ(int, PQsendQueryParams,
              (PGconn * conn, const char* command, int nParams, const Oid* paramTypes,
               const char* const* paramValues, const int* paramLengths, const int* paramFormats,
               int resultFormat),
              (conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats,
               resultFormat))
PGALTER_LIBPQ(int, PQsendQueryPrepared,
              (PGconn * conn, const char* stmtName, int nParams, const char* const* paramValues,
               const int* paramLengths, const int* paramFormats, int resultFormat),
              (conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat))
PGALTER_LIBPQ(int, PQserverVersion, (const PGconn* conn), (conn))
PGALTER_LIBPQ(PGVerbosity, PQsetErrorVerbosity, (PGconn * conn, PGVerbosity verbosity),
              (conn, verbosity))
PGALTER_LIBPQ(PQnoticeReceiver, PQsetNoticeReceiver,
              (PGconn * conn, PQnoticeReceiver proc, void* arg), (conn, proc, arg))
PGALTER_LIBPQ(int, PQsetSingleRowMode, (PGconn * conn), (conn))
PGALTER_LIBPQ(int, PQsetnonblocking, (PGconn * conn, int arg), (conn, arg))
PGALTER_LIBPQ(int, PQsocket, (const PGconn* conn), (conn))
PGALTER_LIBPQ(ConnStatusType, PQstatus, (const PGconn* conn), (conn))
PGALTER_LIBPQ(PGTransactionStatusType, PQtransactionStatus, (const PGconn* conn), (conn))
PGALTER_LIBPQ(char*, PQuser, (const PGconn* conn), (conn))
