// InitProducerId v0-5 (key 22; v6 is unstable in 4.3 and not announced): an id for an idempotent producer.
//   v3 a producer may name its id and epoch; v4 PRODUCER_FENCED; v5 nothing that matters here.
// Without a transactional id every request gets a new id, also one that names its old one (TransactionCoordinator).
// With one: transactions are not served, and TRANSACTIONAL_ID_AUTHORIZATION_FAILED is the error that ends
// initTransactions() at once in Java, and that librdkafka takes as fatal. UNSUPPORTED_VERSION would say it better, but
// librdkafka repeats the request for ever.
#include "protocol/base/log.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_init_producer_id(Call call, protocol::InitProducerIdRequest request) {
  using Response = protocol::InitProducerIdResponse;
  const auto refuse = [&](ErrorCode error) {
    Response response;
    response.error_code = to_wire(error);
    response.producer_epoch = -1;
    call.reply(response);
  };
  if (request.transactional_id && request.transactional_id->empty()) return refuse(ErrorCode::kInvalidRequest);
  if (request.transactional_id) {
    log::warn("Api", "{} ({}) asked for transactions (transactional.id {}), which are not served", call.peer().address,
              call.client_id(), *request.transactional_id);
    return refuse(ErrorCode::kTransactionalIdAuthorizationFailed);
  }
  const bool names_id = request.producer_id != -1;
  const bool names_epoch = request.producer_epoch != -1;
  if (names_id != names_epoch) return refuse(ErrorCode::kInvalidRequest);

  topics::TopicStore& store = call.services().topics;
  store.allocate_producer_id([call = std::move(call)](Result<std::int64_t> id) mutable {
    Response response;
    if (id) {
      response.producer_id = *id;
      response.producer_epoch = 0;
    } else {
      // What Kafka answers while it has no block of ids: the client tries again.
      response.error_code = to_wire(ErrorCode::kCoordinatorLoadInProgress);
      response.producer_epoch = -1;
    }
    call.reply(response);
  });
}

}  // namespace cohort::api
