// Sarama as a member of a group: see ../../README.md.
package main

import (
	"context"
	"errors"
	"time"

	"cohort/clients/member"

	"github.com/IBM/sarama"
)

type handler struct {
	sessions chan sarama.ConsumerGroupSession
}

func (h *handler) Setup(session sarama.ConsumerGroupSession) error {
	partitions := map[int32]bool{}
	for _, claimed := range session.Claims() {
		for _, partition := range claimed {
			partitions[partition] = true
		}
	}
	member.Assigned(partitions)
	h.sessions <- session
	return nil
}

func (h *handler) Cleanup(sarama.ConsumerGroupSession) error {
	member.Assigned(nil)
	return nil
}

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		member.Record(message.Partition, message.Offset, message.Value)
		session.MarkMessage(message, "")
	}
	return nil
}

func configure(options member.Options) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Return.Errors = true
	if options.Instance != "" {
		config.Consumer.Group.InstanceId = options.Instance
		config.Consumer.Group.Session.Timeout = options.Session()
		config.Consumer.Group.Heartbeat.Interval = options.Session() / 6
	}
	// It keeps what it has marked and not committed through a rebalance only if a session ends in time for it.
	config.Consumer.Group.Rebalance.Timeout = 30 * time.Second
	switch options.Assignor {
	case "range":
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	case "roundrobin":
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRoundRobin()}
	case "sticky":
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	}
	return config
}

func consume(ctx context.Context, group sarama.ConsumerGroup, topic string, h *handler) {
	for ctx.Err() == nil {
		err := group.Consume(ctx, []string{topic}, h)
		if errors.Is(err, sarama.ErrClosedConsumerGroup) {
			return
		}
		if err != nil {
			member.Error(err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func main() {
	options := member.Parse()
	group, err := sarama.NewConsumerGroup([]string{options.Bootstrap}, options.Group, configure(options))
	if err != nil {
		member.Error(err)
		return
	}
	go func() {
		for err := range group.Errors() {
			member.Error(err)
		}
	}()
	h := &handler{sessions: make(chan sarama.ConsumerGroupSession, 1)}
	ctx, stop := context.WithCancel(context.Background())
	go consume(ctx, group, options.Topic, h)
	var session sarama.ConsumerGroupSession
	commands := member.Commands()
	for {
		select {
		case session = <-h.sessions:
		case command := <-commands:
			if command == "close" {
				stop()
				group.Close()
				member.Closed()
				return
			}
			session.Commit()
			member.Committed()
		}
	}
}
