// franz-go as a member of a group: see ../../README.md.
package main

import (
	"context"
	"sync"

	"cohort/clients/member"

	"github.com/twmb/franz-go/pkg/kgo"
)

type assignment struct {
	lock       sync.Mutex
	partitions map[int32]bool
}

func (a *assignment) change(topics map[string][]int32, has bool) {
	a.lock.Lock()
	defer a.lock.Unlock()
	for _, partitions := range topics {
		for _, partition := range partitions {
			if has {
				a.partitions[partition] = true
			} else {
				delete(a.partitions, partition)
			}
		}
	}
	member.Assigned(a.partitions)
}

func configure(options member.Options, assigned *assignment) []kgo.Opt {
	gone := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { assigned.change(topics, false) }
	config := []kgo.Opt{
		kgo.SeedBrokers(options.Bootstrap),
		kgo.ConsumerGroup(options.Group),
		kgo.ConsumeTopics(options.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			assigned.change(topics, true)
		}),
		kgo.OnPartitionsRevoked(gone),
		kgo.OnPartitionsLost(gone),
	}
	if options.Instance != "" {
		config = append(config, kgo.InstanceID(options.Instance), kgo.SessionTimeout(options.Session()))
	}
	switch options.Assignor {
	case "range":
		config = append(config, kgo.Balancers(kgo.RangeBalancer()))
	case "roundrobin":
		config = append(config, kgo.Balancers(kgo.RoundRobinBalancer()))
	case "cooperative-sticky":
		config = append(config, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	if options.Protocol == "consumer" {
		config = append(config, kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	}
	return config
}

func main() {
	options := member.Parse()
	client, err := kgo.NewClient(configure(options, &assignment{partitions: map[int32]bool{}})...)
	if err != nil {
		member.Error(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	polls := make(chan kgo.Fetches)
	go func() {
		for ctx.Err() == nil {
			polls <- client.PollFetches(ctx)
		}
	}()
	commands := member.Commands()
	for {
		select {
		case fetches := <-polls:
			fetches.EachRecord(func(r *kgo.Record) { member.Record(r.Partition, r.Offset, r.Value) })
		case command := <-commands:
			if command == "close" {
				stop()
				client.CloseAllowingRebalance()
				member.Closed()
				return
			}
			if err := client.CommitUncommittedOffsets(ctx); err != nil {
				member.Error(err)
			} else {
				member.Committed()
			}
		}
	}
}
