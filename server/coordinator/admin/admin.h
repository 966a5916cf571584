// Listing, describing and deleting the groups of one shard, whatever family they are of. Free functions over const
// state, called on the shard's thread; whatever is to change goes into step.output. Behaviour follows Kafka's
// GroupMetadataManager and GroupCoordinatorShard.deleteGroups (4.3.1).
#pragma once

#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

// In order of group ids. Fields that older versions of ListGroups lack are set and left out when written.
void handle_list_groups(const Step& step, ReplyToken token, const ListGroups& request);
// One answer per id, in order. Missing groups and those of another type are errors of their own entry.
void handle_describe_consumer_groups(const Step& step, ReplyToken token, const DescribeConsumerGroups& request);
void handle_describe_classic_groups(const Step& step, ReplyToken token, const DescribeClassicGroups& request);
// One answer per id; an id that is named twice is answered once.
void handle_delete_groups(const Step& step, ReplyToken token, const DeleteGroups& request);

}  // namespace cohort::coordinator
